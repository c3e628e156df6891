"""What CodeBuild, CodePipeline and GitHub Actions run between a commit and a served model."""
