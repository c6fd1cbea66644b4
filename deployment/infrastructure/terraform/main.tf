# CHW Tools on AWS: PostgreSQL with backups, models on an encrypted file system, the service on
# Fargate behind HTTPS, people signed in by the organisation's own service before anything is asked.
# The service has no accounts yet: whoever is let in by that sign-in sees everybody in the store.

provider "aws" {
  region = var.region
  default_tags {
    tags = { project = "chw-tools", installation = var.name }
  }
}

module "keys" {
  source = "./modules/keys"
  name   = var.name
}

module "network" {
  source        = "./modules/network"
  name          = var.name
  cidr          = var.cidr
  zones         = var.zones
  allowed_cidrs = var.allowed_cidrs
  key_arn       = module.keys.arn
}

module "database" {
  source              = "./modules/database"
  name                = var.name
  subnet_ids          = module.network.private_subnet_ids
  security_group_id   = module.network.database_security_group_id
  key_arn             = module.keys.arn
  instance_class      = var.database.instance_class
  storage_gb          = var.database.storage_gb
  multi_az            = var.database.multi_az
  backup_days         = var.database.backup_days
  deletion_protection = var.deletion_protection
}

module "storage" {
  source              = "./modules/storage"
  name                = var.name
  subnet_ids          = module.network.private_subnet_ids
  security_group_id   = module.network.files_security_group_id
  key_arn             = module.keys.arn
  deletion_protection = var.deletion_protection
}

module "service" {
  source              = "./modules/service"
  name                = var.name
  region              = var.region
  host_name           = var.host_name
  certificate_arn     = var.certificate_arn
  image_tag           = var.image_tag
  proxy_image         = var.proxy_image
  sign_in             = var.sign_in
  sign_in_secret      = var.sign_in_secret
  size                = var.service
  vpc_id              = module.network.vpc_id
  public_subnet_ids   = module.network.public_subnet_ids
  private_subnet_ids  = module.network.private_subnet_ids
  entry_group_id      = module.network.entry_security_group_id
  service_group_id    = module.network.service_security_group_id
  key_arn             = module.keys.arn
  database            = module.database.connection
  files               = module.storage.files
  bucket_arn          = module.storage.bucket_arn
  log_bucket          = module.storage.log_bucket
  log_days            = var.log_days
  deletion_protection = var.deletion_protection
}

module "watching" {
  source         = "./modules/watching"
  name           = var.name
  email          = var.alarm_email
  key_arn        = module.keys.arn
  database_id    = module.database.id
  storage_gb     = var.database.storage_gb
  load_balancer  = module.service.load_balancer_suffix
  target_group   = module.service.target_group_suffix
  cluster        = module.service.cluster_name
  service        = module.service.service_name
  log_group_name = module.service.log_group_name
}
