"""A program that commits the tests' changes to an image: ``python -m benchmarks.powerloss.committing IMAGE``."""

import sys

from tests.storage.containers import commit_changes

from bootgraft.storage.images.opening import identify, open_image

if __name__ == "__main__":
    with open_image(identify(sys.argv[1]), writable=True) as image:
        commit_changes(image)
