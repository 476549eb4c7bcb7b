from setuptools import setup

setup(
    name="bridge",
    version="1.0",
    description="Forwards HTTP requests to an AMQP broker",
    py_modules=["bridge"],
    python_requires=">=3.9",
    install_requires=[
        "tornado>=6.5.5",
        "aioamqp",
        "redis_structures==0.1.3",
    ],
    entry_points={"console_scripts": ["bridge = bridge:run"]},
)
