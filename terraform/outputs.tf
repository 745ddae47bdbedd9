output "table_name" {
  description = "Value of DYNAMODB_TABLE_NAME."
  value       = aws_dynamodb_table.service_discovery_orchestrator_table.name
}

output "table_arn" {
  description = "ARN of the table that HSDO's clients can read, too."
  value       = aws_dynamodb_table.service_discovery_orchestrator_table.arn
}

output "store_table_name" {
  description = "Value of DYNAMODB_STORE_TABLE_NAME; null without the second table."
  value       = one(aws_dynamodb_table.store[*].name)
}

output "store_table_arn" {
  description = "ARN of the second table; null without it."
  value       = one(aws_dynamodb_table.store[*].arn)
}

output "server_policy_arn" {
  description = "Policy to attach to the role that hsdo --server runs under."
  value       = aws_iam_policy.server.arn
}

output "server_policy_json" {
  description = "The same policy as text, for a role that is made elsewhere."
  value       = data.aws_iam_policy_document.server.json
}

output "client_policy_arn" {
  description = "Policy to attach to the role that hsdo --client runs under."
  value       = aws_iam_policy.client.arn
}

output "client_policy_json" {
  description = "The same policy as text, for a role that is made elsewhere."
  value       = data.aws_iam_policy_document.client.json
}
