"""The database: Neo4j over Bolt (`bolt`) and the managed local server (`local`)."""
