// OpenSSL: macros Swift cannot see, and the datagram BIO.
#pragma once
