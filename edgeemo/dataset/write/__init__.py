"""Write images anew: crops of faces, cleaned and split copies."""
