/// Paths about calls, records, and what calls go by.
extension OpenAPIDocument {
    static let calls = #"""
          "paths": {
            "/calls": {
              "get": {
                "summary": "Calls that run.",
                "parameters": [
                  {
                    "name": "limit",
                    "in": "query",
                    "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
                    "description": "Calls on the page."
                  },
                  {"name": "cursor", "in": "query", "schema": {"type": "string"}, "description": "next of the page before."}
                ],
                "responses": {
                  "200": {
                    "description": "A page, in the order they began.",
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
              },
              "post": {
                "summary": "Places a call: a phone or signed-in user is called, and an agent joined when that answers.",
                "parameters": [
                  {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                    "description": "For 24 hours the same key with the same body gets the same answer, and no second call is placed."
                  }
                ],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CallOrder"}}}
                },
                "responses": {
                  "201": {
                    "description": "The phone or user is being called.",
                    "headers": {"Location": {"schema": {"type": "string"}}},
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Call"}}}
                  },
                  "400": {"$ref": "#/components/responses/Problem"},
                  "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"},
                  "409": {"$ref": "#/components/responses/Problem"},
                  "413": {"$ref": "#/components/responses/Problem"},
                  "415": {"$ref": "#/components/responses/Problem"},
                  "422": {"$ref": "#/components/responses/Problem"},
                  "429": {"$ref": "#/components/responses/Problem"},
                  "503": {"$ref": "#/components/responses/Problem"}
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
            "/calls/{id}/transfer": {
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
                "summary": "Gives the call's first party to somebody else.",
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "required": ["to"],
                        "additionalProperties": false,
                        "properties": {
                          "to": {"type": "string", "description": "A number, which the dial plan routes via: api; the name of an agent or a route."},
                          "ring_seconds": {"type": "integer", "minimum": 1, "maximum": 600}
                        }
                      }
                    }
                  }
                },
                "responses": {
                  "202": {
                    "description": "It is being tried. An agent keeps the call until a phone or user answers, and if none does.",
                    "content": {
                      "application/json": {
                        "schema": {"type": "object", "properties": {"id": {"type": "string"}, "to": {"type": "string"}}}
                      }
                    }
                  },
                  "400": {"$ref": "#/components/responses/Problem"},
                  "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"},
                  "409": {"$ref": "#/components/responses/Problem"},
                  "413": {"$ref": "#/components/responses/Problem"},
                  "415": {"$ref": "#/components/responses/Problem"}
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
                  {"name": "recorded", "in": "query", "schema": {"type": "boolean"}, "description": "Whether it was recorded."},
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
                "summary": "Trunks: their settings, without secrets, and their calls.",
                "responses": {
                  "200": {
                    "description": "In the order of the configuration.",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["items", "next"],
                          "properties": {
                            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Trunk"}},
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
                "summary": "Agents: their settings, without secrets, their calls and their health.",
                "responses": {
                  "200": {
                    "description": "In the order of the configuration.",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["items", "next"],
                          "properties": {
                            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Agent"}},
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
