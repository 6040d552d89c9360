// Evaluates expressions with the reference implementation of JSONata. Standard input is a JSON list of
// {"expression", "states"}, standard output a list of {"value"} or {"failed"}, in the same order.
//
// Step Functions adds functions of its own, such as $uuid. No definition uses one, so each of them fails here.
// Source: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html

const { readFileSync } = require("node:fs");
const jsonata = require("jsonata");

async function evaluate({ expression, states }) {
  try {
    const compiled = jsonata(expression);
    // Step Functions does not support it.
    compiled.registerFunction("eval", () => {
      throw new Error("$eval is not supported");
    });
    // Without a document: Step Functions passes values in $states and in variables only.
    const value = await compiled.evaluate(undefined, { states });
    return value === undefined ? { failed: "no result" } : { value };
  } catch (error) {
    return { failed: `${error.code ?? error.name}: ${error.message}` };
  }
}

Promise.all(JSON.parse(readFileSync(0, "utf8")).map(evaluate)).then((answers) =>
  process.stdout.write(JSON.stringify(answers)),
);
