"""The child process that meets hostile bytes: it holds no handle to any image, only a socket to its parent."""
