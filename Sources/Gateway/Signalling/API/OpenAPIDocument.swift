/// The API in the words of OpenAPI 3.1, as `/api/v1/openapi.json` serves it. A test holds it to the paths that are served.
enum OpenAPIDocument {
    static let text = #"""
        {
          "openapi": "3.1.0",
          "info": {"title": "Tandem", "version": "1", "description": "What runs, what ran, and where calls go. See docs/api.md."},
          "servers": [{"url": "/api/v1"}],
          "security": [{"token": []}, {}],
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
            "/dialplan": {
              "get": {
                "summary": "The dial plan in force.",
                "responses": {
                  "200": {
                    "description": "Its text.",
                    "content": {"application/yaml": {"schema": {"type": "string"}}},
                    "headers": {"ETag": {"schema": {"type": "string"}}}
                  },
                  "304": {"description": "As If-None-Match knows it."},
                  "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"}
                }
              },
              "put": {
                "summary": "Puts a dial plan in force and into its file, if it loads and its own tests pass.",
                "parameters": [
                  {
                    "name": "If-Match",
                    "in": "header",
                    "required": true,
                    "schema": {"type": "string"},
                    "description": "The ETag of the plan that was edited."
                  }
                ],
                "requestBody": {"required": true, "content": {"application/yaml": {"schema": {"type": "string"}}}},
                "responses": {
                  "200": {
                    "description": "It is in force.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PlanChange"}}},
                    "headers": {"ETag": {"schema": {"type": "string"}}}
                  },
                  "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "409": {"$ref": "#/components/responses/Problem"},
                  "412": {"$ref": "#/components/responses/Problem"},
                  "413": {"$ref": "#/components/responses/Problem"},
                  "415": {"$ref": "#/components/responses/Problem"},
                  "422": {"$ref": "#/components/responses/Problem"},
                  "428": {"$ref": "#/components/responses/Problem"},
                  "500": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/dialplan/check": {
              "post": {
                "summary": "What a dial plan would be worth; nothing changes.",
                "requestBody": {"required": true, "content": {"application/yaml": {"schema": {"type": "string"}}}},
                "responses": {
                  "200": {
                    "description": "The verdict.",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "properties": {
                            "valid": {"type": "boolean"},
                            "routes": {"type": ["integer", "null"]},
                            "tests": {"type": ["integer", "null"]},
                            "diff": {"description": "null unless it is valid."},
                            "problems": {"type": "array", "items": {"$ref": "#/components/schemas/PlanProblem"}}
                          }
                        }
                      }
                    }
                  },
                  "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "413": {"$ref": "#/components/responses/Problem"},
                  "415": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/dialplan/route": {
              "post": {
                "summary": "Where a call would go, and why: what tandem route --json prints.",
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "required": ["via", "from", "to"],
                        "properties": {
                          "via": {"type": "string"},
                          "from": {"type": "string"},
                          "to": {"type": "string"},
                          "at": {"type": "string", "format": "date-time"},
                          "headers": {
                            "type": "object",
                            "additionalProperties": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
                          }
                        }
                      }
                    }
                  }
                },
                "responses": {
                  "200": {"description": "The decision.", "content": {"application/json": {"schema": {"type": "object"}}}},
                  "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "400": {"$ref": "#/components/responses/Problem"},
                  "413": {"$ref": "#/components/responses/Problem"},
                  "415": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/dialplan/what-if": {
              "post": {
                "summary": "The last calls through another dial plan: which would go elsewhere.",
                "parameters": [
                  {
                    "name": "last",
                    "in": "query",
                    "schema": {"type": "integer", "minimum": 1, "maximum": 100000, "default": 1000},
                    "description": "How many calls."
                  }
                ],
                "requestBody": {"required": true, "content": {"application/yaml": {"schema": {"type": "string"}}}},
                "responses": {
                  "200": {
                    "description": "Calls by change, the largest group first.",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "properties": {
                            "total": {"type": "integer"},
                            "unchanged": {"type": "integer"},
                            "changes": {"type": "array", "items": {"type": "object"}}
                          }
                        }
                      }
                    }
                  },
                  "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "400": {"$ref": "#/components/responses/Problem"},
                  "413": {"$ref": "#/components/responses/Problem"},
                  "415": {"$ref": "#/components/responses/Problem"},
                  "422": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/dialplan/versions": {
              "get": {
                "summary": "The last 50 dial plans, the newest first.",
                "responses": {
                  "200": {
                    "description": "Without their texts.",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["items", "next"],
                          "properties": {
                            "items": {
                              "type": "array",
                              "items": {
                                "type": "object",
                                "properties": {
                                  "number": {"type": "integer"},
                                  "at": {"type": "string", "format": "date-time"},
                                  "author": {"type": "string"},
                                  "etag": {"type": "string"}
                                }
                              }
                            },
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
            "/dialplan/versions/{number}": {
              "parameters": [{"name": "number", "in": "path", "required": true, "schema": {"type": "integer"}, "description": "The version's number."}],
              "get": {
                "summary": "The text of a version, to look at or to put back.",
                "responses": {
                  "200": {
                    "description": "Its text.",
                    "content": {"application/yaml": {"schema": {"type": "string"}}},
                    "headers": {"ETag": {"schema": {"type": "string"}}}
                  },
                  "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/openapi.json": {
              "get": {
                "summary": "This document.",
                "responses": {
                  "200": {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {"type": "object"}}}},
                  "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"}
                }
              }
            }
          },
          "components": {
            "securitySchemes": {
              "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "http.admin_token. Without one set, the API answers only to the gateway's own machine."
              }
            },
            "responses": {
              "Problem": {
                "description": "Refused; detail says what to do.",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
              }
            },
            "schemas": {
              "Party": {"type": "object", "properties": {"given": {"type": "string"}, "e164": {"type": "string"}}},
              "Call": {
                "type": "object",
                "properties": {
                  "id": {"type": "string"},
                  "state": {"type": "string", "enum": ["routing", "ringing", "connected", "ending", "ended"]},
                  "via": {"type": "string", "description": "A trunk's name, browser or api."},
                  "from": {"$ref": "#/components/schemas/Party"},
                  "to": {"$ref": "#/components/schemas/Party"},
                  "trunk_in": {"type": ["string", "null"]},
                  "route": {"type": ["string", "null"]},
                  "steps": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "properties": {
                        "kind": {"type": "string"},
                        "target": {"type": ["string", "null"]},
                        "dialled": {"type": ["string", "null"]},
                        "outcome": {"type": "string"},
                        "sip_code": {"type": ["integer", "null"]},
                        "detail": {"type": ["string", "null"]}
                      }
                    }
                  },
                  "legs": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "properties": {
                        "kind": {"type": "string", "enum": ["browser", "trunk", "agent"]},
                        "name": {"type": ["string", "null"]},
                        "codec": {"type": ["string", "null"]},
                        "address": {"type": ["string", "null"]},
                        "packets_received": {"type": ["integer", "null"]},
                        "packets_sent": {"type": ["integer", "null"]},
                        "lost": {"type": ["integer", "null"]},
                        "jitter_ms": {"type": ["number", "null"]},
                        "rtt_ms": {"type": ["number", "null"]},
                        "concealed_ms": {"type": ["integer", "null"]},
                        "recovered": {"type": ["integer", "null"]},
                        "mos": {"type": ["number", "null"]}
                      }
                    }
                  },
                  "started_at": {"type": "string", "format": "date-time"},
                  "ringing_at": {"type": ["string", "null"], "format": "date-time"},
                  "answered_at": {"type": ["string", "null"], "format": "date-time"},
                  "ended_at": {"type": ["string", "null"], "format": "date-time"},
                  "cause": {
                    "type": ["string", "null"],
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
                      "failed",
                      null
                    ]
                  },
                  "sip_code": {"type": ["integer", "null"]},
                  "detail": {"type": ["string", "null"]},
                  "totals": {
                    "type": "object",
                    "properties": {
                      "duration_ms": {"type": ["integer", "null"]},
                      "talk_ms": {"type": "integer"},
                      "packets_received": {"type": "integer"},
                      "packets_sent": {"type": "integer"},
                      "lost": {"type": "integer"},
                      "concealed_ms": {"type": "integer"}
                    }
                  },
                  "headers": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}, "value": {"type": "string"}}}},
                  "events": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}, "what": {"type": "string"}}}
                  },
                  "explanation": {
                    "description": "As POST dialplan/route answers; of a long one the first routes tried are left out and tried_omitted counts them."
                  }
                },
                "description": "A call; headers, events and explanation are only where one call is asked for."
              },
              "Problem": {
                "type": "object",
                "properties": {
                  "type": {"type": "string"},
                  "title": {"type": "string"},
                  "status": {"type": "integer"},
                  "detail": {"type": "string"},
                  "problems": {"type": "array", "items": {"$ref": "#/components/schemas/PlanProblem"}}
                }
              },
              "PlanProblem": {
                "type": "object",
                "properties": {
                  "line": {"type": "integer"},
                  "column": {"type": "integer"},
                  "severity": {"type": "string", "enum": ["error", "warning"]},
                  "message": {"type": "string"}
                }
              },
              "PlanChange": {
                "type": "object",
                "properties": {
                  "etag": {"type": "string"},
                  "version": {"type": ["integer", "null"]},
                  "routes": {"type": "integer"},
                  "tests": {"type": "integer"},
                  "diff": {
                    "type": "object",
                    "properties": {
                      "added": {"type": "array", "items": {"type": "string"}},
                      "removed": {"type": "array", "items": {"type": "string"}},
                      "changed": {
                        "type": "array",
                        "items": {
                          "type": "object",
                          "properties": {"route": {"type": "string"}, "parts": {"type": "array", "items": {"type": "string"}}}
                        }
                      },
                      "moved": {
                        "type": "array",
                        "items": {
                          "type": "object",
                          "properties": {"route": {"type": "string"}, "from": {"type": "integer"}, "to": {"type": "integer"}}
                        }
                      }
                    }
                  },
                  "problems": {"type": "array", "items": {"$ref": "#/components/schemas/PlanProblem"}}
                }
              }
            }
          }
        }
        """#
}
