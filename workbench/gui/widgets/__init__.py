"""Parts that several panels or the window itself are made of; they know no panel."""
