"""The invented village of Hasselried and its fibre network, from which the demo project is made."""
