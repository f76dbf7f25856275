// HMAC-SHA1 (RFC 2104) that allocates nothing per message: in OpenSSL 3.0 every way by EVP does, whose digests are made anew when
// they begin again. The digest itself is OpenSSL's, of the interface that it calls low-level.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct tandem_hmac_sha1 tandem_hmac_sha1;

/// For one key of at most 64 bytes. NULL when out of memory, or for a longer key.
tandem_hmac_sha1 *tandem_hmac_sha1_new(const uint8_t *key, size_t length);
/// Wipes the key.
void tandem_hmac_sha1_free(tandem_hmac_sha1 *hmac);
/// Of `bytes` and, behind them, `tail` (may be NULL with `tail_length` 0). Writes 20 bytes.
void tandem_hmac_sha1_digest(
    const tandem_hmac_sha1 *hmac, const void *bytes, size_t length, const void *tail, size_t tail_length, uint8_t *digest);
