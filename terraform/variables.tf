variable "project" {
  description = "First part of every name, and the tag of that name."
  type        = string
}

variable "team" {
  description = "Tag: who looks after the tables."
  type        = string
  default     = ""
}

variable "product_line" {
  description = "Tag: the product line that the tables belong to."
  type        = string
  default     = ""
}

variable "tenant" {
  description = "Tag: the tenant that the tables belong to."
  type        = string
  default     = ""
}

variable "customer" {
  description = "Tag: the customer that the tables belong to."
  type        = string
  default     = ""
}

variable "tags" {
  description = "Further tags; they win over the ones above."
  type        = map(string)
  default     = {}
}

variable "billing_mode" {
  description = "PROVISIONED pays for the capacity below, PAY_PER_REQUEST (on demand) for what is used."
  type        = string
  default     = "PROVISIONED"

  validation {
    condition     = contains(["PROVISIONED", "PAY_PER_REQUEST"], var.billing_mode)
    error_message = "billing_mode must be PROVISIONED or PAY_PER_REQUEST."
  }
}

variable "read_capacity" {
  description = "Read units a second of each table; unused on demand."
  type        = number
  default     = 20
}

variable "write_capacity" {
  description = "Write units a second of each table; unused on demand."
  type        = number
  default     = 20
}

variable "point_in_time_recovery" {
  description = "Keeps 35 days of backups. hsdo writes its list anew by itself, so this guards overrides and history at most."
  type        = bool
  default     = false
}

variable "store_table" {
  description = "Also makes the second table, which several services, overrides and reports of clients need (DYNAMODB_STORE_TABLE_NAME)."
  type        = bool
  default     = false
}
