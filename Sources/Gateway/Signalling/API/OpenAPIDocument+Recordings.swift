/// Paths about the recordings of calls.
extension OpenAPIDocument {
    static let recordings = #"""
            "/calls/{id}/recording": {
              \#(finished),
              "post": {
                "summary": "Pauses the recording of a call that runs, or goes on with it.",
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "required": ["state"],
                        "properties": {"state": {"type": "string", "enum": ["paused", "recording"]}}
                      }
                    }
                  }
                },
                "responses": {
                  "200": {
                    "description": "The recording as it is now.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Recording"}}}
                  },
                  "400": {"$ref": "#/components/responses/Problem"},
                  "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"},
                  "409": {"$ref": "#/components/responses/Problem"},
                  "413": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/records/{id}/recording": {
              \#(finished)
            },
        """#

    /// What goes for the recording of a call that is over, under either of its paths.
    private static let finished = #"""
              "parameters": [
                {
                  "name": "id",
                  "in": "path",
                  "required": true,
                  "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
                  "description": "The call's identifier."
                }
              ],
              "get": {
                "summary": "The recording of a call that is over; with Range a part of it.",
                "responses": {
                  "200": {"$ref": "#/components/responses/Sound"},
                  "206": {"$ref": "#/components/responses/Sound"},
                  "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"},
                  "409": {"$ref": "#/components/responses/Problem"},
                  "410": {"$ref": "#/components/responses/Problem"},
                  "416": {"$ref": "#/components/responses/Problem"}
                }
              },
              "delete": {
                "summary": "Deletes it.",
                "responses": {
                  "204": {"description": "It is deleted."},
                  "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"},
                  "409": {"$ref": "#/components/responses/Problem"},
                  "410": {"$ref": "#/components/responses/Problem"}
                }
              }
        """#
}
