import HTTPTypes
import Hummingbird
import Web

/// The demo page, tandem.js and what they need.
struct PageController: Sendable {
    func addRoutes(to router: some RouterMethods<SignallingContext>) {
        for path in WebPages.paths {
            guard let page = WebPages.page(path: path) else { continue }
            router.resource(RouterPath(path), [.get: { request, _ in Self.response(page, to: request) }])
        }
    }

    private static func response(_ page: WebPage, to request: Request) -> Response {
        var headers = HTTPFields()
        for (name, value) in page.headers {
            if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) }
        }
        if let known = request.headers[.ifNoneMatch], page.isUnchanged(ifNoneMatch: known) {
            return Response(status: .notModified, headers: headers)
        }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: page.body)))
    }
}
