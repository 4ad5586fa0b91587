// The carrier of the precompiled <torch/torch.h>; see cmake/BcxDependencies.cmake.
