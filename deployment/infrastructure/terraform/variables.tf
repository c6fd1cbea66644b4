variable "name" {
  description = "Name of this installation; part of every resource's name."
  type        = string
  default     = "chw"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}$", var.name))
    error_message = "Give 2 to 19 small letters, digits and hyphens, beginning with a letter."
  }
}

variable "region" {
  description = "Where the records lie; the law of the country may decide this."
  type        = string
}

variable "zones" {
  description = "Availability zones, two or more."
  type        = list(string)
  validation {
    condition     = length(var.zones) >= 2
    error_message = "A load balancer and a standby database need two zones or more."
  }
}

variable "cidr" {
  description = "Addresses of the network."
  type        = string
  default     = "10.40.0.0/16"
  validation {
    condition     = can(cidrsubnet(var.cidr, 4, 15))
    error_message = "Give a block of /24 or larger, such as 10.40.0.0/16."
  }
}

variable "allowed_cidrs" {
  description = "From where people may come; everywhere by default, since CHWs use mobile networks."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}

variable "host_name" {
  description = "Name under which people reach the service, such as chw.health.example.org."
  type        = string
}

variable "certificate_arn" {
  description = "ACM certificate of that name."
  type        = string
}

variable "image_tag" {
  description = "Tag of the image in this installation's registry (output image_repository)."
  type        = string
  validation {
    condition     = var.image_tag != "latest"
    error_message = "Name a release, not latest: what runs must be known."
  }
}

variable "proxy_image" {
  description = "Image of Caddy, which adds the proxy's secret."
  type        = string
  default     = "public.ecr.aws/docker/library/caddy:2.10-alpine"
}

variable "sign_in" {
  description = "The organisation's sign-in service (OpenID Connect)."
  type = object({
    issuer                 = string
    authorization_endpoint = string
    token_endpoint         = string
    user_info_endpoint     = string
    client_id              = string
  })
}

variable "sign_in_secret" {
  description = "Secret of the client at the sign-in service; give it as TF_VAR_sign_in_secret."
  type        = string
  sensitive   = true
}

variable "database" {
  description = "Size of PostgreSQL; backup_days is how far back any moment can be restored."
  type = object({
    instance_class = optional(string, "db.t4g.medium")
    storage_gb     = optional(number, 50)
    multi_az       = optional(bool, true)
    backup_days    = optional(number, 14)
  })
  default = {}
  validation {
    condition     = var.database.backup_days >= 7 && var.database.backup_days <= 35
    error_message = "Keep 7 to 35 days of backups."
  }
}

variable "service" {
  description = "Size of the service: processor units (1024 a core), memory, and how many."
  type = object({
    cpu       = optional(number, 1024)
    memory_mb = optional(number, 2048)
    least     = optional(number, 2)
    most      = optional(number, 6)
    plan_at   = optional(string, "cron(30 18 * * ? *)")
  })
  default = {}
  validation {
    condition     = var.service.least >= 1 && var.service.most >= var.service.least
    error_message = "least is 1 or more, and most is not below it."
  }
}

variable "alarm_email" {
  description = "Who is told of alarms."
  type        = string
}

variable "log_days" {
  description = "How long logs are kept."
  type        = number
  default     = 365
}

variable "deletion_protection" {
  description = "Refuse to delete what holds records; off only for a trial."
  type        = bool
  default     = true
}
