"""The networks: tutorials, edge family, backbones; their weights and costs."""
