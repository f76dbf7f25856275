/// Paths about calls, records, and what calls go by.
extension OpenAPIDocument {
    static let calls = #"""
          "paths": {
            "/calls": {
              "get": {
                "summary": "Calls that run.",
                "responses": {
                  "200": {
                    "description": "In the order they began.",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["items", "next"],
                          "properties": {
                            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Call"}},
                            "next": {"type": ["string", "null"]}
                          }
                        }
                      }
                    }
                  },
                  "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "400": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/calls/{id}": {
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
                "summary": "One call that runs.",
                "responses": {
                  "200": {"description": "The call.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Call"}}}},
                  "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"}
                }
              },
              "delete": {
                "summary": "Ends a call for both of its ends.",
                "responses": {
                  "204": {"description": "It ends."},
                  "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/calls/{id}/recording": {
              "parameters": [
                {
                  "name": "id",
                  "in": "path",
                  "required": true,
                  "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
                  "description": "The call's identifier."
                }
              ],
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
            "/records": {
              "get": {
                "summary": "Calls that are over, the newest first.",
                "parameters": [
                  {"name": "via", "in": "query", "schema": {"type": "string"}, "description": "A trunk's name, browser or api."},
                  {"name": "route", "in": "query", "schema": {"type": "string"}, "description": "The route that took the call."},
                  {
                    "name": "cause",
                    "in": "query",
                    "schema": {
                      "type": "string",
                      "enum": [
                        "caller_hangup",
                        "callee_hangup",
                        "agent_hangup",
                        "busy",
                        "no_answer",
                        "rejected",
                        "unreachable",
                        "agent_unavailable",
                        "agent_lost",
                        "media_timeout",
                        "connection_lost",
                        "no_route",
                        "refused",
                        "overload",
                        "draining",
                        "transferred",
                        "failed"
                      ]
                    },
                    "description": "How it ended."
                  },
                  {"name": "from", "in": "query", "schema": {"type": "string"}, "description": "The caller, as given or in E.164 form."},
                  {
                    "name": "to",
                    "in": "query",
                    "schema": {"type": "string"},
                    "description": "The called party, as given or in E.164 form."
                  },
                  {
                    "name": "since",
                    "in": "query",
                    "schema": {"type": "string", "format": "date-time"},
                    "description": "Started then or later."
                  },
                  {"name": "until", "in": "query", "schema": {"type": "string", "format": "date-time"}, "description": "Started before."},
                  {
                    "name": "min_seconds",
                    "in": "query",
                    "schema": {"type": "integer"},
                    "description": "Seconds from the answer to the end, at least."
                  },
                  {"name": "max_seconds", "in": "query", "schema": {"type": "integer"}, "description": "At most."},
                  {"name": "answered", "in": "query", "schema": {"type": "boolean"}, "description": "Whether it was answered."},
                  {
                    "name": "limit",
                    "in": "query",
                    "schema": {"type": "integer", "minimum": 1, "maximum": 10000, "default": 100},
                    "description": "Records on the page; at most 1000, as CSV 10000."
                  },
                  {"name": "cursor", "in": "query", "schema": {"type": "string"}, "description": "next of the page before."},
                  {
                    "name": "format",
                    "in": "query",
                    "schema": {"type": "string", "enum": ["json", "csv"]},
                    "description": "Instead of Accept."
                  }
                ],
                "responses": {
                  "200": {
                    "description": "A page; Link names the next.",
                    "headers": {"Link": {"schema": {"type": "string"}}},
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["items", "next"],
                          "properties": {
                            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Call"}},
                            "next": {"type": ["string", "null"]}
                          }
                        }
                      },
                      "text/csv": {"schema": {"type": "string"}}
                    }
                  },
                  "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "400": {"$ref": "#/components/responses/Problem"},
                  "406": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/records/{id}": {
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
                "summary": "One call that is over.",
                "responses": {
                  "200": {"description": "The record.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Call"}}}},
                  "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/trunks": {
              "get": {
                "summary": "Trunks and their settings, without secrets.",
                "responses": {
                  "200": {
                    "description": "In the order of the configuration.",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["items", "next"],
                          "properties": {
                            "items": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
                            "next": {"type": ["string", "null"]}
                          }
                        }
                      }
                    }
                  },
                  "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "400": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/agents": {
              "get": {
                "summary": "Agents and their settings, without secrets.",
                "responses": {
                  "200": {
                    "description": "In the order of the configuration.",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["items", "next"],
                          "properties": {
                            "items": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
                            "next": {"type": ["string", "null"]}
                          }
                        }
                      }
                    }
                  },
                  "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "400": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
        """#
}
