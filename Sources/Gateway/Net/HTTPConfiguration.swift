extension HTTPServer.Configuration {
    init(_ http: Configuration.HTTP) {
        self.init(host: http.listen.host, port: http.listen.port)
        origins = http.origins
    }
}
