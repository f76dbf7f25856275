/// The API in the words of OpenAPI 3.1, as `/api/v1/openapi.json` serves it. A test holds it to the paths that are served.
enum OpenAPIDocument {
    static let text = """
        {
        \(general)
        \(calls)
        \(recordings)
        \(plans)
        \(components)
        }
        """

    private static let general = #"""
          "openapi": "3.1.0",
          "info": {"title": "Tandem", "version": "1", "description": "What runs, what ran, and where calls go. See docs/api.md."},
          "servers": [{"url": "/api/v1"}],
          "security": [{"token": []}, {}],
        """#
}
