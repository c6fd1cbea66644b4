# When a human is told. What the service itself counts is read by Prometheus (docs/monitoring.md); these
# alarms watch what stands around it. Each limit is a decision of this project.
variable "name" { type = string }
variable "email" { type = string }
variable "key_arn" { type = string }
variable "database_id" { type = string }
variable "storage_gb" { type = number }
variable "load_balancer" { type = string }
variable "target_group" { type = string }
variable "cluster" { type = string }
variable "service" { type = string }
variable "log_group_name" { type = string }

locals {
  balancer = { LoadBalancer = var.load_balancer, TargetGroup = var.target_group }
  database = { DBInstanceIdentifier = var.database_id }
  alarms = {
    no-healthy-server = {
      space     = "AWS/ApplicationELB", metric = "HealthyHostCount", of = local.balancer
      statistic = "Minimum", compare = "LessThanThreshold", limit = 1, minutes = 3, missing = "breaching"
    }
    requests-fail = {
      space     = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", of = local.balancer
      statistic = "Sum", compare = "GreaterThanThreshold", limit = 10, minutes = 5, missing = "notBreaching"
    }
    answers-are-slow = {
      space     = "AWS/ApplicationELB", metric = "TargetResponseTime", of = local.balancer
      statistic = "Average", compare = "GreaterThanThreshold", limit = 1, minutes = 10, missing = "notBreaching"
    }
    database-is-busy = {
      space     = "AWS/RDS", metric = "CPUUtilization", of = local.database
      statistic = "Average", compare = "GreaterThanThreshold", limit = 85, minutes = 15, missing = "breaching"
    }
    database-is-nearly-full = {
      space     = "AWS/RDS", metric = "FreeStorageSpace", of = local.database
      statistic = "Minimum", compare = "LessThanThreshold", limit = var.storage_gb * 1e9 * 0.15, minutes = 15
      missing   = "breaching"
    }
    service-is-out-of-memory = {
      space     = "AWS/ECS", metric = "MemoryUtilization", of = { ClusterName = var.cluster, ServiceName = var.service }
      statistic = "Maximum", compare = "GreaterThanThreshold", limit = 90, minutes = 10, missing = "notBreaching"
    }
    something-broke-inside = {
      space     = var.name, metric = "failures", of = {}
      statistic = "Sum", compare = "GreaterThanThreshold", limit = 5, minutes = 10, missing = "notBreaching"
    }
  }
}

resource "aws_sns_topic" "this" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.key_arn
}

resource "aws_sns_topic_subscription" "email" {
  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = var.email
}

# The service's own log lines: `"event": "failure"` with the kind of error and its place, no values.
resource "aws_cloudwatch_log_metric_filter" "failures" {
  name           = "${var.name}-failures"
  log_group_name = var.log_group_name
  pattern        = "{ $.event = \"failure\" }"
  metric_transformation {
    namespace = var.name
    name      = "failures"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  namespace           = each.value.space
  metric_name         = each.value.metric
  dimensions          = each.value.of
  statistic           = each.value.statistic
  comparison_operator = each.value.compare
  threshold           = each.value.limit
  period              = 60
  evaluation_periods  = each.value.minutes
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]
}

output "topic_arn" { value = aws_sns_topic.this.arn }
