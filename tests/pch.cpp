// Compiles the precompiled header that the tests without LibTorch reuse.
