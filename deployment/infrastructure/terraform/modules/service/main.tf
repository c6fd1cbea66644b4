# The service on Fargate. People are signed in by the load balancer at the organisation's sign-in
# service; a proxy in the same task adds the secret without which the service answers nobody.
variable "name" { type = string }
variable "region" { type = string }
variable "host_name" { type = string }
variable "certificate_arn" { type = string }
variable "image_tag" { type = string }
variable "proxy_image" { type = string }
variable "sign_in" {
  type = object({
    issuer                 = string
    authorization_endpoint = string
    token_endpoint         = string
    user_info_endpoint     = string
    client_id              = string
  })
}
variable "sign_in_secret" {
  type      = string
  sensitive = true
}
variable "size" {
  type = object({
    cpu       = number
    memory_mb = number
    least     = number
    most      = number
    plan_at   = string
  })
}
variable "vpc_id" { type = string }
variable "public_subnet_ids" { type = list(string) }
variable "private_subnet_ids" { type = list(string) }
variable "entry_group_id" { type = string }
variable "service_group_id" { type = string }
variable "key_arn" { type = string }
variable "database" {
  type = object({ host = string, name = string, user = string, secret_arn = string })
}
variable "files" {
  type = object({ id = string, arn = string, access_point_id = string, access_arn = string })
}
variable "bucket_arn" { type = string }
variable "log_bucket" { type = string }
variable "log_days" { type = number }
variable "deletion_protection" { type = bool }

locals {
  image = "${aws_ecr_repository.this.repository_url}:${var.image_tag}"
  # require, since RDS's own authority is in no system's list; the database refuses plain text anyway.
  database_url = "postgresql+psycopg://${var.database.user}@${var.database.host}/${var.database.name}?sslmode=require"
  # ECS hands secrets over in the environment only; the service reads its own from a file.
  with_secret = "umask 077 && printf %s \"$PROXY_SECRET\" > /tmp/proxy_secret && unset PROXY_SECRET && exec chw"
  caddyfile   = <<-CADDY
    {
      admin off
    }
    :8080 {
      respond /metrics 404
      reverse_proxy 127.0.0.1:8000 {
        trusted_proxies private_ranges
        header_up X-Chw-Proxy-Secret {$CHW_PROXY_SECRET}
        header_up -Authorization
      }
    }
  CADDY
  environment = [
    { name = "CHW_HOST", value = "127.0.0.1" },
    { name = "CHW_PUBLIC_HOSTS", value = var.host_name },
    { name = "CHW_PROXY_SECRET_FILE", value = "/tmp/proxy_secret" },
    { name = "CHW_DATABASE_URL", value = local.database_url },
    { name = "CHW_MIGRATIONS", value = "off" },
    { name = "CHW_TRACKING_URI", value = "off" },
    { name = "CHW_HOME", value = "/tmp/home" },
    { name = "CHW_MODELS", value = "/var/lib/chw/models" },
  ]
  secrets = [
    { name = "PGPASSWORD", valueFrom = "${var.database.secret_arn}:password::" },
    { name = "PROXY_SECRET", valueFrom = aws_secretsmanager_secret.proxy.arn },
  ]
  mounts = [
    { sourceVolume = "tmp", containerPath = "/tmp", readOnly = false },
    { sourceVolume = "models", containerPath = "/var/lib/chw/models", readOnly = false },
  ]
  commands = {
    serve   = "serve"
    migrate = "migrate"
    plan    = "plan"
    worker  = "worker"
  }
  chw = {
    for name, command in local.commands : name => {
      name                   = "chw"
      image                  = local.image
      essential              = true
      readonlyRootFilesystem = true
      entryPoint             = ["/bin/sh", "-c"]
      command                = ["${local.with_secret} ${command}"]
      environment            = local.environment
      secrets                = local.secrets
      mountPoints            = local.mounts
      linuxParameters        = { capabilities = { drop = ["ALL"] }, initProcessEnabled = true }
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.this.name
          awslogs-region        = var.region
          awslogs-stream-prefix = name
        }
      }
    }
  }
  proxy = {
    name                   = "proxy"
    image                  = var.proxy_image
    essential              = true
    readonlyRootFilesystem = true
    user                   = "10002"
    entryPoint             = ["/bin/sh", "-c"]
    command                = ["printf %s \"$CADDYFILE\" > /tmp/Caddyfile && exec caddy run --config /tmp/Caddyfile --adapter caddyfile"]
    portMappings           = [{ containerPort = 8080, hostPort = 8080, protocol = "tcp" }]
    environment = [
      { name = "CADDYFILE", value = local.caddyfile },
      { name = "XDG_DATA_HOME", value = "/tmp/data" },
      { name = "XDG_CONFIG_HOME", value = "/tmp/config" },
    ]
    secrets     = [{ name = "CHW_PROXY_SECRET", valueFrom = aws_secretsmanager_secret.proxy.arn }]
    mountPoints = [{ sourceVolume = "proxy-tmp", containerPath = "/tmp", readOnly = false }]
    dependsOn   = [{ containerName = "chw", condition = "START" }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = var.region
        awslogs-stream-prefix = "proxy"
      }
    }
  }
}

resource "aws_ecr_repository" "this" {
  name                 = var.name
  image_tag_mutability = "IMMUTABLE"
  force_delete         = !var.deletion_protection
  image_scanning_configuration { scan_on_push = true }
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.key_arn
  }
}

resource "aws_secretsmanager_secret" "proxy" {
  name                    = "${var.name}/proxy_secret"
  description             = "openssl rand -hex 32; put by hand, see deployment_instructions.md"
  kms_key_id              = var.key_arn
  recovery_window_in_days = 7
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${var.name}/service"
  retention_in_days = var.log_days
  kms_key_id        = var.key_arn
}

resource "aws_ecs_cluster" "this" {
  name = var.name
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

# Starts tasks: may fetch the image, write logs, and read these two secrets.
resource "aws_iam_role" "starting" {
  name               = "${var.name}-starting"
  assume_role_policy = local.tasks_may_assume
}

resource "aws_iam_role_policy" "starting" {
  name = "start"
  role = aws_iam_role.starting.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" },
      {
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = aws_ecr_repository.this.arn
      },
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.this.arn}:*"
      },
      {
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = [var.database.secret_arn, aws_secretsmanager_secret.proxy.arn]
      },
      { Effect = "Allow", Action = "kms:Decrypt", Resource = var.key_arn },
    ]
  })
}

# Runs: may mount the models and use its own bucket.
resource "aws_iam_role" "running" {
  name               = "${var.name}-running"
  assume_role_policy = local.tasks_may_assume
}

resource "aws_iam_role_policy" "running" {
  name = "run"
  role = aws_iam_role.running.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
        Resource  = var.files.arn
        Condition = { StringEquals = { "elasticfilesystem:AccessPointArn" = var.files.access_arn } }
      },
      { Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = "${var.bucket_arn}/*" },
      { Effect = "Allow", Action = "s3:ListBucket", Resource = var.bucket_arn },
      { Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = var.key_arn },
    ]
  })
}

locals {
  tasks_may_assume = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_ecs_task_definition" "this" {
  for_each                 = local.commands
  family                   = "${var.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.size.cpu
  memory                   = var.size.memory_mb
  execution_role_arn       = aws_iam_role.starting.arn
  task_role_arn            = aws_iam_role.running.arn
  container_definitions = jsonencode(concat(
    [local.chw[each.key]],
    [for beside in [local.proxy] : beside if each.key == "serve"],
  ))
  volume { name = "tmp" }
  dynamic "volume" {
    for_each = each.key == "serve" ? ["proxy-tmp"] : []
    content { name = volume.value }
  }
  volume {
    name = "models"
    efs_volume_configuration {
      file_system_id     = var.files.id
      transit_encryption = "ENABLED"
      authorization_config {
        access_point_id = var.files.access_point_id
        iam             = "ENABLED"
      }
    }
  }
}

resource "aws_lb" "this" {
  name                       = var.name
  load_balancer_type         = "application"
  security_groups            = [var.entry_group_id]
  subnets                    = var.public_subnet_ids
  drop_invalid_header_fields = true
  enable_deletion_protection = var.deletion_protection
  access_logs {
    bucket  = var.log_bucket
    enabled = true
  }
}

resource "aws_lb_target_group" "this" {
  name                 = var.name
  port                 = 8080
  protocol             = "HTTP"
  target_type          = "ip"
  vpc_id               = var.vpc_id
  deregistration_delay = 30
  health_check {
    path                = "/readyz"
    interval            = 15
    healthy_threshold   = 2
    unhealthy_threshold = 3
    matcher             = "200"
  }
}

# No listener of plain HTTP: what would be sent there is read by others before it is redirected.
resource "aws_lb_listener" "this" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
  certificate_arn   = var.certificate_arn
  default_action {
    type  = "authenticate-oidc"
    order = 1
    authenticate_oidc {
      issuer                     = var.sign_in.issuer
      authorization_endpoint     = var.sign_in.authorization_endpoint
      token_endpoint             = var.sign_in.token_endpoint
      user_info_endpoint         = var.sign_in.user_info_endpoint
      client_id                  = var.sign_in.client_id
      client_secret              = var.sign_in_secret
      on_unauthenticated_request = "authenticate"
      scope                      = "openid"
      session_timeout            = 43200
    }
  }
  default_action {
    type             = "forward"
    order            = 2
    target_group_arn = aws_lb_target_group.this.arn
  }
}

resource "aws_ecs_service" "this" {
  name                              = var.name
  cluster                           = aws_ecs_cluster.this.id
  task_definition                   = aws_ecs_task_definition.this["serve"].arn
  launch_type                       = "FARGATE"
  desired_count                     = var.size.least
  health_check_grace_period_seconds = 60
  propagate_tags                    = "SERVICE"
  enable_execute_command            = false
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  network_configuration {
    subnets          = var.private_subnet_ids
    security_groups  = [var.service_group_id]
    assign_public_ip = false
  }
  load_balancer {
    target_group_arn = aws_lb_target_group.this.arn
    container_name   = "proxy"
    container_port   = 8080
  }
  # How many is the autoscaler's business.
  lifecycle { ignore_changes = [desired_count] }
  depends_on = [aws_lb_listener.this]
}

# Providers of messages sign nobody in: each of their callbacks proves itself by a signature.
resource "aws_lb_listener_rule" "callbacks" {
  listener_arn = aws_lb_listener.this.arn
  priority     = 10
  condition {
    path_pattern { values = ["/callbacks/*"] }
  }
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}

# Sends messages that are due; without CHW_GATEWAYS they go to files.
resource "aws_ecs_service" "worker" {
  name                   = "${var.name}-worker"
  cluster                = aws_ecs_cluster.this.id
  task_definition        = aws_ecs_task_definition.this["worker"].arn
  launch_type            = "FARGATE"
  desired_count          = 1
  propagate_tags         = "SERVICE"
  enable_execute_command = false
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  network_configuration {
    subnets          = var.private_subnet_ids
    security_groups  = [var.service_group_id]
    assign_public_ip = false
  }
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.size.least
  max_capacity       = var.size.most
}

resource "aws_appautoscaling_policy" "this" {
  name               = "${var.name}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  resource_id        = aws_appautoscaling_target.this.resource_id
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  target_tracking_scaling_policy_configuration {
    target_value       = 70
    scale_in_cooldown  = 600
    scale_out_cooldown = 60
    predefined_metric_specification { predefined_metric_type = "ECSServiceAverageCPUUtilization" }
  }
}

# Tomorrow's lists, every evening.
resource "aws_iam_role" "planning" {
  name = "${var.name}-planning"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "planning" {
  name = "run-the-plan"
  role = aws_iam_role.planning.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Action    = "ecs:RunTask"
        Resource  = "${aws_ecs_task_definition.this["plan"].arn_without_revision}:*"
        Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.this.arn } }
      },
      {
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = [aws_iam_role.starting.arn, aws_iam_role.running.arn]
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ]
  })
}

resource "aws_cloudwatch_event_rule" "planning" {
  name                = "${var.name}-plan"
  description         = "Tomorrow's lists"
  schedule_expression = var.size.plan_at
}

resource "aws_cloudwatch_event_target" "planning" {
  rule     = aws_cloudwatch_event_rule.planning.name
  arn      = aws_ecs_cluster.this.arn
  role_arn = aws_iam_role.planning.arn
  ecs_target {
    launch_type         = "FARGATE"
    task_count          = 1
    task_definition_arn = aws_ecs_task_definition.this["plan"].arn
    network_configuration {
      subnets         = var.private_subnet_ids
      security_groups = [var.service_group_id]
    }
  }
}

output "load_balancer_dns" { value = aws_lb.this.dns_name }
output "load_balancer_suffix" { value = aws_lb.this.arn_suffix }
output "target_group_suffix" { value = aws_lb_target_group.this.arn_suffix }
output "repository_url" { value = aws_ecr_repository.this.repository_url }
output "cluster_name" { value = aws_ecs_cluster.this.name }
output "service_name" { value = aws_ecs_service.this.name }
output "log_group_name" { value = aws_cloudwatch_log_group.this.name }
output "secret_names" { value = [aws_secretsmanager_secret.proxy.name] }
output "migration" {
  value = {
    cluster         = aws_ecs_cluster.this.name
    task_definition = aws_ecs_task_definition.this["migrate"].family
    subnets         = var.private_subnet_ids
    security_group  = var.service_group_id
  }
}
