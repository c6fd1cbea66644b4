output "address" {
  description = "Where people open the service, once the name points at load_balancer."
  value       = "https://${var.host_name}/"
}

output "load_balancer" {
  description = "Point the host name here (CNAME or alias)."
  value       = module.service.load_balancer_dns
}

output "image_repository" {
  description = "Push the image here."
  value       = module.service.repository_url
}

output "secrets" {
  description = "Secrets to fill by hand before the first start; their values are in no state file."
  value       = module.service.secret_names
}

output "migration" {
  description = "What `aws ecs run-task` needs to bring the schema up to date."
  value       = module.service.migration
}

output "bucket" {
  description = "Bucket for backups and files to import."
  value       = module.storage.bucket
}
