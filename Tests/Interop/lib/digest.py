"""Digest authentication from the server's side (RFC 7616, RFC 8760), by hashlib alone."""

import hashlib
import re

_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


def challenge(algorithm="MD5", realm="interop", nonce="n0nce-1", qop="auth", stale=False):
    """The value of a WWW-Authenticate or Proxy-Authenticate header."""
    parts = [f'realm="{realm}"', f'nonce="{nonce}"', f"algorithm={algorithm}"]
    parts += [f'qop="{qop}"'] if qop else []
    parts += ["stale=true"] if stale else []
    return "Digest " + ", ".join(parts)


def fields(authorization):
    """{name: value} of an Authorization header."""
    assert authorization.startswith("Digest "), authorization
    return {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))', authorization[7:])}


def is_valid(authorization, method, username, password):
    """Whether the answer is that of this user with this password."""
    given = fields(authorization)
    digest = _HASHES.get(given.get("algorithm", "MD5"))
    if digest is None or given.get("username") != username:
        return False

    def hashed(*parts):
        return digest(":".join(parts).encode()).hexdigest()

    secret, request = hashed(username, given["realm"], password), hashed(method, given["uri"])
    if "qop" in given:
        expected = hashed(secret, given["nonce"], given["nc"], given["cnonce"], given["qop"], request)
    else:
        expected = hashed(secret, given["nonce"], request)
    return given["response"] == expected
