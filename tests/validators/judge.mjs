// Reads CSAF 2.0 documents, one a line; answers each with one line: a JSON list of what the schema and the mandatory
// tests (6.1.x) find, empty for a valid document. With `--all`, also what the optional tests (6.2.x) warn of.
import { createInterface } from 'node:readline'

import * as mandatory from '@secvisogram/csaf-validator-lib/mandatoryTests.js'
import * as optional from '@secvisogram/csaf-validator-lib/optionalTests.js'
import { csaf_2_0_strict } from '@secvisogram/csaf-validator-lib/schemaTests.js'
import validate from '@secvisogram/csaf-validator-lib/validate.js'

const all = process.argv.includes('--all')
const tests = [csaf_2_0_strict, ...Object.values(mandatory), ...(all ? Object.values(optional) : [])]

for await (const line of createInterface({ input: process.stdin })) {
  const { tests: results } = await validate(tests, JSON.parse(line))
  const found = results.flatMap(({ name, errors, warnings }) =>
    [...errors, ...(all ? warnings : [])].map(({ instancePath, message }) => `${name} ${instancePath} ${message}`)
  )
  console.log(JSON.stringify(found))
}
