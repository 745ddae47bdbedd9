locals {
  store_table_arns = aws_dynamodb_table.store[*].arn
}

# A transaction needs the rights of what it holds (ConditionCheckItem for a bare condition); it has no right of its own.
data "aws_iam_policy_document" "server" {
  statement {
    sid    = "Tables"
    effect = "Allow"
    actions = [
      "dynamodb:ConditionCheckItem",
      "dynamodb:DeleteItem",
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:Query",
      "dynamodb:Scan",
      "dynamodb:UpdateItem",
    ]
    resources = concat([aws_dynamodb_table.service_discovery_orchestrator_table.arn], local.store_table_arns)
  }

  # AWS offers no narrower resource for these two.
  statement {
    sid    = "Discovery"
    effect = "Allow"
    actions = [
      "autoscaling:DescribeAutoScalingGroups",
      "ec2:DescribeInstances",
    ]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "client" {
  statement {
    sid    = "ReadTables"
    effect = "Allow"
    actions = [
      "dynamodb:GetItem",
      "dynamodb:Query",
      "dynamodb:Scan",
    ]
    resources = concat([aws_dynamodb_table.service_discovery_orchestrator_table.arn], local.store_table_arns)
  }

  # A client leaves a report of its HAProxies. IAM can tell partitions apart but not keys, and the store is one
  # partition: without this statement clients are read-only, and hsdo status shows no reports.
  dynamic "statement" {
    for_each = var.store_table ? [1] : []
    content {
      sid       = "Report"
      effect    = "Allow"
      actions   = ["dynamodb:PutItem"]
      resources = local.store_table_arns
    }
  }
}

resource "aws_iam_policy" "server" {
  name        = "${var.project}-hsdo-server"
  description = "What hsdo --server calls"
  policy      = data.aws_iam_policy_document.server.json
  tags        = merge(local.tags, var.tags)
}

resource "aws_iam_policy" "client" {
  name        = "${var.project}-hsdo-client"
  description = "What hsdo --client calls"
  policy      = data.aws_iam_policy_document.client.json
  tags        = merge(local.tags, var.tags)
}
