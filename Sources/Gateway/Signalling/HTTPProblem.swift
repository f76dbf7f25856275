import Foundation
import HTTPTypes
import Hummingbird
import NIOHTTP1

/// A refusal as `application/problem+json` (RFC 9457): what happened, and what the caller can do about it.
struct HTTPProblem: HTTPResponseError, Equatable {
    var status: HTTPResponse.Status
    /// One sentence that says what to do.
    var detail: String
    /// How the call ended, where there was one.
    var end: CallEnd?
    /// What is wrong with a dial plan, a line each.
    var problems: [JSONValue]?
    /// Further header fields, such as `Allow`.
    var headers: HTTPFields = [:]

    init(_ status: HTTPResponse.Status, _ detail: String, end: CallEnd? = nil, headers: HTTPFields = [:]) {
        // A status made of its number alone has no words, and the words are the title.
        let words = HTTPResponseStatus(statusCode: status.code).reasonPhrase
        self.status = status.reasonPhrase.isEmpty ? HTTPResponse.Status(code: status.code, reasonPhrase: words) : status
        self.detail = detail
        self.end = end
        self.headers = headers
        // RFC 9110 section 10.2.3: whoever is told to come back is told when.
        if status == .serviceUnavailable, self.headers[.retryAfter] == nil { self.headers[.retryAfter] = "5" }
    }

    /// The body's members. `about:blank` means that the status says it all (RFC 9457 section 4.2.1).
    private struct Body: Encodable {
        var type = "about:blank"
        var title: String
        var status: Int
        var detail: String
        var cause: String?
        var sip_code: Int?
        var problems: [JSONValue]?
    }

    var response: Response {
        let body = Body(
            title: status.reasonPhrase, status: status.code, detail: detail,
            cause: end?.reason.rawValue, sip_code: end?.sipStatus, problems: problems)
        var headers = headers
        headers[.contentType] = MediaTypes.problem
        headers[.cacheControl] = "no-store"
        headers[.xContentTypeOptions] = "nosniff"
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: JSONText.encode(body))))
    }

    func response(from request: Request, context: some RequestContext) -> Response {
        response
    }
}
