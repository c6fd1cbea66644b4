# `terraform test`: what must hold of every plan, with a mocked cloud.
mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  region          = "eu-west-1"
  zones           = ["eu-west-1a", "eu-west-1b"]
  host_name       = "chw.health.example.org"
  certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
  image_tag       = "0.1.0"
  alarm_email     = "on-call@health.example.org"
  sign_in_secret  = "not a real one"
  sign_in = {
    issuer                 = "https://sign-in.health.example.org"
    authorization_endpoint = "https://sign-in.health.example.org/authorize"
    token_endpoint         = "https://sign-in.health.example.org/token"
    user_info_endpoint     = "https://sign-in.health.example.org/userinfo"
    client_id              = "chw-tools"
  }
}

run "the_database_is_safe" {
  command = plan
  module { source = "./modules/database" }
  variables {
    name                = "chw"
    subnet_ids          = ["subnet-1", "subnet-2"]
    security_group_id   = "sg-1"
    key_arn             = "arn:aws:kms:eu-west-1:123456789012:key/1"
    instance_class      = "db.t4g.medium"
    storage_gb          = 50
    multi_az            = true
    backup_days         = 14
    deletion_protection = true
  }
  assert {
    condition     = aws_db_instance.this.storage_encrypted && aws_db_instance.this.kms_key_id == var.key_arn
    error_message = "The database is not encrypted with our key."
  }
  assert {
    condition     = !aws_db_instance.this.publicly_accessible
    error_message = "The database can be reached from outside."
  }
  assert {
    condition     = aws_db_instance.this.backup_retention_period >= 7
    error_message = "There are too few backups."
  }
  assert {
    condition     = aws_db_instance.this.manage_master_user_password && aws_db_instance.this.password == null
    error_message = "A password would be in the state."
  }
  assert {
    condition     = aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot
    error_message = "Records could be deleted by a slip."
  }
  assert {
    condition     = contains([for p in aws_db_parameter_group.this.parameter : "${p.name}=${p.value}"], "rds.force_ssl=1")
    error_message = "The database speaks without encryption."
  }
}

run "the_network_lets_through_what_it_must" {
  command = plan
  module { source = "./modules/network" }
  variables {
    name          = "chw"
    cidr          = "10.40.0.0/16"
    allowed_cidrs = ["0.0.0.0/0"]
    key_arn       = "arn:aws:kms:eu-west-1:123456789012:key/1"
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.people : rule.from_port == 443 && rule.to_port == 443])
    error_message = "People may come by HTTPS only."
  }
  assert {
    condition = alltrue([
      aws_vpc_security_group_ingress_rule.database_from_service.cidr_ipv4 == null,
      aws_vpc_security_group_ingress_rule.files_from_service.cidr_ipv4 == null,
      aws_vpc_security_group_ingress_rule.service_from_entry.cidr_ipv4 == null,
    ])
    error_message = "Something inside can be reached by address instead of by group."
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.public : !subnet.map_public_ip_on_launch])
    error_message = "Machines would get public addresses."
  }
  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL"
    error_message = "Flows are not logged."
  }
}

run "what_is_stored_is_closed" {
  command = plan
  module { source = "./modules/storage" }
  variables {
    name                = "chw"
    subnet_ids          = ["subnet-1", "subnet-2"]
    security_group_id   = "sg-1"
    key_arn             = "arn:aws:kms:eu-west-1:123456789012:key/1"
    deletion_protection = true
  }
  assert {
    condition = alltrue([for block in aws_s3_bucket_public_access_block.this :
      block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets
    ]) && length(aws_s3_bucket_public_access_block.this) == 2
    error_message = "A bucket could be made public."
  }
  assert {
    condition     = aws_efs_file_system.models.encrypted
    error_message = "Models are not encrypted."
  }
  assert {
    condition     = aws_s3_bucket_versioning.records.versioning_configuration[0].status == "Enabled"
    error_message = "An overwritten backup would be gone."
  }
  assert {
    condition     = !aws_s3_bucket.records.force_destroy
    error_message = "Backups could be deleted by a slip."
  }
}

run "the_key_is_rotated" {
  command = plan
  module { source = "./modules/keys" }
  variables { name = "chw" }
  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The key is never rotated."
  }
}

run "people_are_signed_in_before_anything_is_asked" {
  command = plan
  module { source = "./modules/service" }
  variables {
    name                = "chw"
    proxy_image         = "caddy:2.10-alpine"
    size                = { cpu = 1024, memory_mb = 2048, least = 2, most = 6, plan_at = "cron(30 18 * * ? *)" }
    vpc_id              = "vpc-1"
    public_subnet_ids   = ["subnet-1", "subnet-2"]
    private_subnet_ids  = ["subnet-3", "subnet-4"]
    entry_group_id      = "sg-1"
    service_group_id    = "sg-2"
    key_arn             = "arn:aws:kms:eu-west-1:123456789012:key/1"
    database            = { host = "db", name = "chw", user = "chw", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db" }
    files               = { id = "fs-1", arn = "arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/fs-1", access_point_id = "fsap-1", access_arn = "arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-1" }
    bucket_arn          = "arn:aws:s3:::chw-records"
    log_bucket          = "chw-logs"
    log_days            = 365
    deletion_protection = true
  }
  assert {
    condition     = aws_lb_listener.this.port == 443 && aws_lb_listener.this.protocol == "HTTPS" && startswith(aws_lb_listener.this.ssl_policy, "ELBSecurityPolicy-TLS13")
    error_message = "The entry does not insist on modern HTTPS."
  }
  assert {
    condition = (
      aws_lb_listener.this.default_action[0].type == "authenticate-oidc" &&
      aws_lb_listener.this.default_action[0].authenticate_oidc[0].on_unauthenticated_request == "authenticate" &&
      aws_lb_listener.this.default_action[1].type == "forward"
    )
    error_message = "Somebody could come in without signing in."
  }
  assert {
    condition     = !aws_ecs_service.this.network_configuration[0].assign_public_ip
    error_message = "Tasks would have public addresses."
  }
  assert {
    condition     = one(one(aws_lb_listener_rule.callbacks.condition).path_pattern).values == toset(["/callbacks/*"])
    error_message = "More than signed callbacks would come in without signing in."
  }
  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE"
    error_message = "What runs under a tag could change."
  }
  assert {
    condition     = length(aws_ecs_task_definition.this) == 4
    error_message = "Serve, migrate, plan and worker are four tasks."
  }
}

run "a_wrong_size_is_refused" {
  command = plan
  variables {
    database = { backup_days = 1 }
    service  = { least = 3, most = 2 }
    zones    = ["eu-west-1a"]
    name     = "Health Ministry"
  }
  expect_failures = [var.database, var.service, var.zones, var.name]
}

run "a_tag_that_moves_is_refused" {
  command = plan
  variables { image_tag = "latest" }
  expect_failures = [var.image_tag]
}

run "the_whole_can_be_planned" {
  command = plan
  assert {
    condition     = output.address == "https://chw.health.example.org/"
    error_message = "The address is not told."
  }
}
