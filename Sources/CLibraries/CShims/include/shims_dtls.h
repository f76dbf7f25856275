// OpenSSL for DTLS-SRTP: the macros Swift cannot see, and a BIO whose every read and every write is one
// datagram. No sockets, no callbacks into Swift: the datagram to read is lent by pointer, the datagrams
// written are collected, and the caller looks through them after each call.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <openssl/ssl.h>

/// What became of one step of the connection.
enum {
    TANDEM_DTLS_WAITING = 0,    // more datagrams are needed
    TANDEM_DTLS_FINISHED = 1,   // the handshake is complete
    TANDEM_DTLS_CLOSED = 2,     // the peer sent close_notify
    TANDEM_DTLS_FAILED = 3,     // the connection is dead
};

typedef struct tandem_dtls tandem_dtls;

/// A DTLS 1.2 context with a fresh P-256 key and a self-signed certificate: both certificates required, every
/// certificate accepted here (the caller compares the fingerprint of SDP), no renegotiation, no resumption.
/// `profiles` is OpenSSL's colon list of SRTP profiles in order of preference. Writes the certificate's SHA-256
/// fingerprint. NULL on failure; the reason is then on OpenSSL's error queue.
SSL_CTX *tandem_dtls_context_new(const char *profiles, uint8_t fingerprint[32]);

/// One connection; `client` chooses the role; `mtu` is the largest datagram written, in bytes. NULL when out of memory.
tandem_dtls *tandem_dtls_new(SSL_CTX *context, int client, long mtu);
void tandem_dtls_free(tandem_dtls *dtls);

/// Goes on with the handshake. `datagram` (NULL: none) is lent for this call and read whole, once.
int tandem_dtls_handshake(tandem_dtls *dtls, const uint8_t *datagram, size_t length);
/// Reads one datagram after the handshake: alerts count, application data is thrown away.
int tandem_dtls_read(tandem_dtls *dtls, const uint8_t *datagram, size_t length);
/// Writes close_notify.
void tandem_dtls_close(tandem_dtls *dtls);

/// From here on the next datagram written replaces those kept so far; until then they stay where they are.
void tandem_dtls_begin(tandem_dtls *dtls);
/// How many datagrams were written since the connection was made.
size_t tandem_dtls_written(const tandem_dtls *dtls);
/// The datagrams kept: how many, and each.
size_t tandem_dtls_count(const tandem_dtls *dtls);
uint8_t *tandem_dtls_datagram(tandem_dtls *dtls, size_t index, size_t *length);

/// IANA number of the SRTP profile agreed on, 0 for none (RFC 5764 4.1.2, RFC 7714 14.2).
unsigned tandem_dtls_profile(const tandem_dtls *dtls);
/// Keying material under "EXTRACTOR-dtls_srtp" (RFC 5764 4.2). 1 on success.
int tandem_dtls_export(tandem_dtls *dtls, uint8_t *out, size_t length);
/// Digest of the peer's certificate; `hash` is an SDP hash name ("sha-256", any case). The digest's length, 0 when the hash
/// is unknown or there is no certificate.
size_t tandem_dtls_peer_fingerprint(const tandem_dtls *dtls, const char *hash, uint8_t out[64]);

/// Text of the newest entry of OpenSSL's error queue; empties the queue.
void tandem_dtls_error(char *out, size_t capacity);
