# Models on a file system that every task mounts; a bucket for backups and files to import; another for
# the load balancer's logs.
variable "name" { type = string }
variable "subnet_ids" { type = list(string) }
variable "security_group_id" { type = string }
variable "key_arn" { type = string }
variable "deletion_protection" { type = bool }

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}

locals {
  account = data.aws_caller_identity.this.account_id
  buckets = { records = aws_s3_bucket.records, logs = aws_s3_bucket.logs }
}

resource "aws_efs_file_system" "models" {
  encrypted  = true
  kms_key_id = var.key_arn
  tags       = { Name = "${var.name}-models" }
}

resource "aws_efs_backup_policy" "models" {
  file_system_id = aws_efs_file_system.models.id
  backup_policy { status = "ENABLED" }
}

resource "aws_efs_mount_target" "models" {
  count           = length(var.subnet_ids)
  file_system_id  = aws_efs_file_system.models.id
  subnet_id       = var.subnet_ids[count.index]
  security_groups = [var.security_group_id]
}

resource "aws_efs_access_point" "models" {
  file_system_id = aws_efs_file_system.models.id
  posix_user {
    uid = 10001
    gid = 10001
  }
  root_directory {
    path = "/models"
    creation_info {
      owner_uid   = 10001
      owner_gid   = 10001
      permissions = "0750"
    }
  }
}

resource "aws_s3_bucket" "records" {
  bucket        = "${var.name}-records-${local.account}"
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket" "logs" {
  bucket        = "${var.name}-logs-${local.account}"
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each                = local.buckets
  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = local.buckets
  bucket   = each.value.id
  rule { object_ownership = "BucketOwnerEnforced" }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "records" {
  bucket = aws_s3_bucket.records.id
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.key_arn
    }
  }
}

# A load balancer writes its logs with the bucket's own key only.
resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id
  rule {
    apply_server_side_encryption_by_default { sse_algorithm = "AES256" }
  }
}

resource "aws_s3_bucket_versioning" "records" {
  bucket = aws_s3_bucket.records.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_lifecycle_configuration" "records" {
  bucket = aws_s3_bucket.records.id
  rule {
    id     = "old-versions"
    status = "Enabled"
    filter {}
    noncurrent_version_expiration { noncurrent_days = 90 }
    abort_incomplete_multipart_upload { days_after_initiation = 7 }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id
  rule {
    id     = "a-year"
    status = "Enabled"
    filter {}
    expiration { days = 365 }
  }
}

resource "aws_s3_bucket_policy" "records" {
  bucket = aws_s3_bucket.records.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [local.only_https.records]
  })
  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      local.only_https.logs,
      {
        Sid       = "LoadBalancer"
        Effect    = "Allow"
        Principal = { Service = "logdelivery.elasticloadbalancing.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${aws_s3_bucket.logs.arn}/AWSLogs/${local.account}/*"
      },
    ]
  })
  depends_on = [aws_s3_bucket_public_access_block.this]
}

locals {
  only_https = {
    for name, bucket in local.buckets : name => {
      Sid       = "OnlyHttps"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [bucket.arn, "${bucket.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }
  }
}

output "bucket" { value = aws_s3_bucket.records.bucket }
output "bucket_arn" { value = aws_s3_bucket.records.arn }
output "log_bucket" {
  value      = aws_s3_bucket.logs.bucket
  depends_on = [aws_s3_bucket_policy.logs]
}
output "files" {
  value = {
    id              = aws_efs_file_system.models.id
    arn             = aws_efs_file_system.models.arn
    access_point_id = aws_efs_access_point.models.id
    access_arn      = aws_efs_access_point.models.arn
  }
  depends_on = [aws_efs_mount_target.models]
}
