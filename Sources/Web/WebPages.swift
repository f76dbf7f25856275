/// The browser side: the demo page and `tandem.js`, embedded in the binary so that copying the binary copies them.
public enum WebPages {
    /// No inline script or style, nothing from elsewhere; sockets to any host, for a page may be pointed at another gateway;
    /// no other site may frame a page that holds the microphone.
    public static let contentSecurityPolicy = [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self' ws: wss:",
        "media-src 'self' blob: mediastream:",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ].joined(separator: "; ")

    /// The paths there is something at, sorted.
    public static var paths: [String] { pages.keys.sorted() }

    /// The page at a request's path, or nil where there is none.
    /// - Parameter path: the request target's path; a query (`?processing=off`, read by the page's script) may still be on it.
    public static func page(path: String) -> WebPage? {
        pages[String(path.prefix { $0 != "?" && $0 != "#" })]
    }

    private static let pages: [String: WebPage] = [
        "/": WebPage(contentType: "text/html; charset=utf-8", body: PackageResources.index_html),
        "/app.js": WebPage(contentType: "text/javascript; charset=utf-8", body: PackageResources.app_js),
        "/style.css": WebPage(contentType: "text/css; charset=utf-8", body: PackageResources.style_css),
        // Modules are always fetched with CORS, and shops import this one from their own pages.
        "/tandem.js": WebPage(
            contentType: "text/javascript; charset=utf-8", body: PackageResources.tandem_js,
            extraHeaders: [("Access-Control-Allow-Origin", "*"), ("Cross-Origin-Resource-Policy", "cross-origin")]),
    ]
}
