"""The chain from firmware to kernel: which Windows does this machine really boot?"""
