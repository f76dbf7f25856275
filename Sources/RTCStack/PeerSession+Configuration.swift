extension PeerSession {
    /// What a session is made from.
    public struct Configuration {
        public var certificate: DTLSCertificate
        public var localUfrag: String
        public var localPassword: String
        /// The browser's; what is not known at the start comes by `setRemote`.
        public var remoteUfrag: String?
        public var remotePassword: String?
        public var remoteFingerprints: [DTLSFingerprint]
        public var dtlsRole: DTLSRole
        /// Bytes of our largest handshake datagram.
        public var maximumHandshakeDatagram = DTLSEngine.maximumDatagram

        public init(
            certificate: DTLSCertificate, localUfrag: String, localPassword: String, remoteUfrag: String? = nil,
            remotePassword: String? = nil, remoteFingerprints: [DTLSFingerprint] = [], dtlsRole: DTLSRole
        ) {
            self.certificate = certificate
            self.localUfrag = localUfrag
            self.localPassword = localPassword
            self.remoteUfrag = remoteUfrag
            self.remotePassword = remotePassword
            self.remoteFingerprints = remoteFingerprints
            self.dtlsRole = dtlsRole
        }
    }
}
