"""Second opinions on what CDK synthesises: `make lint-cloud`.

Start at `__main__`. `templates` synthesises, `linters` runs cfn-lint, checkov and asl-validator, `acknowledgements`
compares their findings with `acknowledged.toml`. `expressions` repeats every evaluation that tests recorded under the
reference implementation of JSONata. The tools live in .local/lint_cloud, apart from those of the project.
"""
