"""Work through very many images in blocks: on this machine, or on a Ray cluster.

The work is the same in both places, and so is its result. What is finished is kept as Parquet files
where a folder is named for them, and is not done again (`edgeemo.bulk.parts`).
"""
