#pragma once
#include <stddef.h>
#include <stdint.h>

/// libFuzzer's own main (LLVM: FuzzerDriver), for programs that have one themselves.
int LLVMFuzzerRunDriver(int *argument_count, char ***arguments, int (*test)(const uint8_t *bytes, size_t count));
