"""A chat bot that sends photos to a service and answers with classes and pictures.

What it says is worked out without knowing any messenger; each messenger is a package beside.
"""
