locals {
  table_name       = "${var.project}-service-discovery-orchestrator"
  store_table_name = "${var.project}-service-discovery-orchestrator-store"
  is_provisioned   = var.billing_mode == "PROVISIONED"

  tags = {
    project      = var.project
    team         = var.team
    product_line = var.product_line
    tenant       = var.tenant
    customer     = var.customer
  }
}

# One item per slot under its number, as HSDO has it, so its Python clients go on reading it. Item 0 is hsdo's own.
resource "aws_dynamodb_table" "service_discovery_orchestrator_table" {
  name           = local.table_name
  billing_mode   = var.billing_mode
  read_capacity  = local.is_provisioned ? var.read_capacity : null
  write_capacity = local.is_provisioned ? var.write_capacity : null
  hash_key       = "BackendServerID"

  attribute {
    name = "BackendServerID"
    type = "N"
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  tags = merge(local.tags, { Name = local.table_name, name = local.table_name }, var.tags)
}

# hsdo's plain key-value store: one partition per cluster, keys as text.
resource "aws_dynamodb_table" "store" {
  count = var.store_table ? 1 : 0

  name           = local.store_table_name
  billing_mode   = var.billing_mode
  read_capacity  = local.is_provisioned ? var.read_capacity : null
  write_capacity = local.is_provisioned ? var.write_capacity : null
  hash_key       = "Scope"
  range_key      = "Key"

  attribute {
    name = "Scope"
    type = "S"
  }

  attribute {
    name = "Key"
    type = "S"
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  tags = merge(local.tags, { Name = local.store_table_name, name = local.store_table_name }, var.tags)
}
