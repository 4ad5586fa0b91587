// The carrier of the precompiled header of LibTorch; see cmake/BcxDependencies.cmake.
