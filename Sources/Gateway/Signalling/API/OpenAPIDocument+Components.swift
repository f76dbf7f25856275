/// What the paths refer to.
extension OpenAPIDocument {
    static let components = #"""
          "components": {
            "securitySchemes": {
              "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "http.admin_token. Without one set, the API answers only to the gateway's own machine."
              }
            },
            "responses": {
              "Sound": {
                "description": "The file, or the part asked for.",
                "content": {"audio/wav": {}, "audio/ogg": {}}
              },
              "Problem": {
                "description": "Refused; detail says what to do.",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
              }
            },
            "schemas": {
              "Party": {"type": "object", "properties": {"given": {"type": "string"}, "e164": {"type": "string"}}},
              "Recording": {
                "type": "object",
                "properties": {
                  "file": {"type": "string", "description": "Path below recordings.folder."},
                  "state": {"type": "string", "enum": ["recording", "paused", "finished", "failed"]}
                }
              },
              "Call": {
                "type": "object",
                "properties": {
                  "recording": {"oneOf": [{"$ref": "#/components/schemas/Recording"}, {"type": "null"}]},
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
                        "mos": {"type": ["number", "null"]},
                        "echo_return_loss_db": {"type": ["number", "null"]},
                        "echo_removed_db": {"type": ["number", "null"]},
                        "speech_level_dbfs": {"type": ["number", "null"]},
                        "gain_db": {"type": ["number", "null"]},
                        "turns": {
                          "type": "object",
                          "description": "Of an agent: how long the caller waited for its answers, and what was cut off.",
                          "properties": {
                            "answers": {"type": "integer"}, "answer_ms": {"type": "integer"}, "agent_ms": {"type": "integer"},
                            "gateway_ms": {"type": "integer"}, "longest_ms": {"type": "integer"}, "interruptions": {"type": "integer"},
                            "played_ms": {"type": "integer"}, "dropped_ms": {"type": "integer"}, "gaps": {"type": "integer"}
                          }
                        }
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
                  "answered_by": {"type": ["string", "null"], "enum": ["human", "machine", "fax", "silence", null], "description": "With machine_detection."},
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
              "CallOrder": {
                "type": "object",
                "required": ["to", "agent"],
                "additionalProperties": false,
                "properties": {
                  "to": {"type": "string", "description": "The number or signed-in user to call."},
                  "agent": {"type": "string", "description": "The name of the agent that talks."},
                  "via": {"type": ["string", "null"], "description": "The trunk to call by, or browser to call a signed-in user; without it the dial plan routes the call via: api."},
                  "from": {"type": ["string", "null"], "pattern": "^\\+?[0-9]{1,32}$", "description": "The caller id, in place of the route's."},
                  "parameters": {"type": ["object", "null"], "additionalProperties": {"type": "string"}, "description": "Passed to the agent."},
                  "ring_seconds": {"type": ["integer", "null"], "minimum": 1, "maximum": 600, "description": "How long the phone or user may ring."},
                  "machine_detection": {
                    "type": ["boolean", "null"],
                    "default": false,
                    "description": "Finds out from the first seconds of sound whether a person answered, a machine or a fax."
                  },
                  "status_url": {
                    "type": ["string", "null"],
                    "format": "uri",
                    "description": "Gets a POST with the call as JSON when the phone rings, when it answers, and when the call is over."
                  }
                }
              },
              "Trunk": {
                "type": "object",
                "properties": {
                  "name": {"type": "string"},
                  "calls": {"type": "integer", "description": "That it carries now, in and out."},
                  "calls_out": {
                    "type": "object",
                    "additionalProperties": {"type": "integer"},
                    "description": "Calls out since the start, by what came of them: answered, or the word for the failure."
                  }
                }
              },
              "Agent": {
                "type": "object",
                "properties": {
                  "name": {"type": "string"},
                  "calls": {"type": "integer", "description": "That talk to it now."},
                  "state": {"type": "string", "enum": ["available", "failing"], "description": "failing while every address rests."},
                  "spread": {"type": ["string", "null"], "enum": ["standby", "least_loaded", null], "description": "Null for an agent that is built in."},
                  "addresses": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "properties": {
                        "url": {"type": "string"},
                        "answered": {"type": "integer"},
                        "failed": {"type": "integer"},
                        "failed_in_a_row": {"type": "integer"},
                        "sessions": {"type": "integer", "description": "Sockets that are open now, or being opened."},
                        "draining": {"type": "boolean", "description": "It is left out because it closed with 4503."},
                        "last_failure": {"type": ["string", "null"]},
                        "rests_ms": {"type": "integer", "description": "How long it is still left out because it failed again and again."}
                      }
                    }
                  }
                }
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
        """#
}
