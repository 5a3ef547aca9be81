"""InvokeModel on runtime, and the batch jobs of the control plane (bedrock-facts.md section 6)."""
