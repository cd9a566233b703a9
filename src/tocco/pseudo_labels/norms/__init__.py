"""What is expected: how competent pianists play such music."""
