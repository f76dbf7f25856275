import GRDB

/// The tables of `calls.db`, as migrations: each runs once, in order, and none is ever changed after a release.
enum RecordSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 calls") { database in
            try database.execute(
                sql: """
                    CREATE TABLE calls (
                      id TEXT NOT NULL PRIMARY KEY, via TEXT NOT NULL,
                      from_given TEXT NOT NULL, from_e164 TEXT NOT NULL, to_given TEXT NOT NULL, to_e164 TEXT NOT NULL,
                      route TEXT, cause TEXT, sip_code INTEGER, detail TEXT,
                      started_ms INTEGER NOT NULL, ringing_ms INTEGER, answered_ms INTEGER, ended_ms INTEGER NOT NULL, talk_ms INTEGER NOT NULL,
                      steps TEXT NOT NULL, legs TEXT NOT NULL, headers TEXT NOT NULL, events TEXT NOT NULL, explanation TEXT
                    ) WITHOUT ROWID;
                    CREATE INDEX calls_started ON calls (started_ms, id);
                    CREATE INDEX calls_ended ON calls (ended_ms);
                    """)
        }
        migrator.registerMigration("1 plans") { database in
            try database.execute(
                sql: """
                    CREATE TABLE plans (
                      number INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, author TEXT NOT NULL, etag TEXT NOT NULL,
                      text BLOB NOT NULL
                    );
                    """)
        }
        migrator.registerMigration("2 recordings") { database in
            try database.execute(sql: "ALTER TABLE calls ADD COLUMN recording TEXT;")
        }
        migrator.registerMigration("3 placed calls") { database in
            try database.execute(
                sql: """
                    ALTER TABLE calls ADD COLUMN answered_by TEXT;
                    ALTER TABLE calls ADD COLUMN account TEXT;
                    CREATE INDEX calls_account ON calls (account, started_ms, id) WHERE account IS NOT NULL;
                    CREATE TABLE idempotency (
                      key TEXT NOT NULL PRIMARY KEY, question TEXT NOT NULL, answer TEXT, at_ms INTEGER NOT NULL
                    ) WITHOUT ROWID;
                    """)
        }
        return migrator
    }
}
