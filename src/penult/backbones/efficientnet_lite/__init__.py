"""EfficientNet-Lite without torch: its modules, and its graph of OpenVINO's own operations."""
