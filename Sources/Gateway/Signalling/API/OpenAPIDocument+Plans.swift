/// Paths about the dial plan; they close the list of paths.
extension OpenAPIDocument {
    static let plans = #"""
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
        """#
}
