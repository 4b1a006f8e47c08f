"""The tissue phantom: a stand-in where no in vivo recordings are at hand."""
