// libosip2: its trace function is variadic. Digest authentication: OpenSSL's hash functions by number.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Starts the parser once and silences its log, which would write a line to standard error for every malformed message.
void tandem_osip_initialise(void);
/// Frees memory that libosip2 handed out (osip_free is a macro).
void tandem_osip_free(void *pointer);

#define TANDEM_DIGEST_MD5 0
#define TANDEM_DIGEST_SHA256 1
#define TANDEM_DIGEST_SHA512_256 2
/// Room for the longest of them.
#define TANDEM_DIGEST_SIZE 64

/// Hashes `count` bytes into `digest` (TANDEM_DIGEST_SIZE bytes). Returns the digest's length, 0 if OpenSSL refuses the function.
int tandem_digest(int function, const uint8_t *bytes, size_t count, uint8_t *digest);
