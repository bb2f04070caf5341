"""Dead Windows machines as disk images, built with other people's tools only (never with bootgraft's own code).

``spec`` says what a machine is, ``windows2003`` has the ready-made ones, ``build`` makes the images, ``formats`` turns
a raw image into every container format, ``oracles`` judges an image from outside.
"""
