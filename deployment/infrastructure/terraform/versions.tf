terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.90"
    }
  }
  # State holds the secret of the sign-in client: keep it in an encrypted bucket that few may read.
  # backend "s3" { ... }  see deployment_instructions.md
}
