// Validates state machines with asl-validator, which knows JSONata. Standard input is a JSON list of definitions,
// standard output a list with the faults of each, in the same order.

const { readFileSync } = require("node:fs");
const validate = require("asl-validator");

const faultsOf = (definition) =>
  validate(definition).errors.map((error) => ({
    rule: error["Error code"] ?? error.keyword ?? "INVALID",
    message: error.Message ?? `${error.instancePath ?? ""} ${error.message ?? JSON.stringify(error)}`.trim(),
  }));

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(faultsOf)));
