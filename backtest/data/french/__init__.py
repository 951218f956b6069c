"""Ken French's data library: its files, the portfolios in them under names of ours, and a source made of both."""
